package collect

import "testing"

func TestSlug(t *testing.T) {
	for url, want := range map[string]string{
		"https://github.com/acme/shop":                    "acme/shop",
		"https://ada:secret@github.com/acme/shop.js.git/": "acme/shop.js",
		"git@github.com:acme/shop.git":                    "acme/shop",
		"ssh://git@ssh.github.com:443/acme/shop.git":      "acme/shop",
		"gh:acme/shop":                      "acme/shop",
		"http://127.0.0.1:80/git/acme/shop": "acme/shop",
		"/srv/acme/shop.git":                "",
		"../acme/shop":                      "",
		"file:///srv/acme/shop":             "",
		"https://example.org/shop":          "",
		"":                                  "",
	} {
		config := "local\x00core.bare\x00local\x00remote.other.url\nhttps://github.com/x/y\x00local\x00remote.origin.url\n" + url + "\x00"
		if got := slug(config); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
	if got := slug("local\x00remote.origin.url\x00local"); got != "" {
		t.Error(got)
	}
}
