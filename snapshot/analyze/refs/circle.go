package refs

import (
	"iter"
	"slices"
)

// Circle returns a shortest way from a node back to itself, without its end; nil
// when there is none. Next gives where a node leads: of ways of one length, the
// one that it gives first.
func Circle[K comparable](start K, next func(K) iter.Seq[K]) []K {
	from := map[K]K{}
	for todo := []K{start}; len(todo) > 0; {
		k := todo[0]
		todo = todo[1:]
		for to := range next(k) {
			if to == start {
				way := []K{k}
				for k != start {
					k = from[k]
					way = append(way, k)
				}
				slices.Reverse(way)
				return way
			}
			if _, seen := from[to]; !seen {
				from[to] = k
				todo = append(todo, to)
			}
		}
	}
	return nil
}
