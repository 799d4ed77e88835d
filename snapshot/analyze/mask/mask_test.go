package mask

import "testing"

func TestText(t *testing.T) {
	const s = NotShown
	for in, want := range map[string]string{
		"the backup of yesterday is 26 hours old":                     "the backup of yesterday is 26 hours old",
		"db-2026-11-29.sql.gz has 0 bytes; 3 tests passed in 2 s":     "db-2026-11-29.sql.gz has 0 bytes; 3 tests passed in 2 s",
		"node_modules/very-long-name-of-a-package/index.js":           "node_modules/very-long-name-of-a-package/index.js",
		"commit 4f1c2ab at 2026-11-29T21:00:00Z in web/src/index.tsx": "commit 4f1c2ab at 2026-11-29T21:00:00Z in web/src/index.tsx",
		"password: hunter2 is wrong":                                  "password: " + s + " is wrong",
		`{"api_key":"abc def"}`:                                       `{"api_key":` + s + `}`,
		"DB_URL=postgres was used":                                    "DB_URL=" + s + " was used",
		"curl --token abc https://x.org/a":                            "curl --token " + s + " https://x.org/a",
		"postgres://ada:pw@db/x":                                      "postgres://" + s + "@db/x",
		"https://x.org/a?sig=1":                                       "https://x.org/a?" + s,
		"Authorization: Bearer abc.def":                               "Authorization: Bearer " + s,
		"ghp_0123456789abcdefABCD leaked":                             s + " leaked",
		"d41d8cd98f00b204e9800998ecf8427e":                            s,
		"aB3dE5gH7jK9mN1pQ3sT":                                        s,
		"-----BEGIN PRIVATE KEY-----\nMII":                            s,
		"it is sesame-open":                                           "it is " + s,
	} {
		if got := Text(in, []string{"sesame-open", "open", "sesam"}); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
	if got := Errors("invalid password hunter2 for ada", nil); got != "invalid password "+s+" for ada" {
		t.Error(got)
	}
	for name, want := range map[string]bool{"db_password": true, "api_key": true, "key": true, "keys": false, "monkey": false, "age_hours": false, "author": false, "token": true} {
		if Secretive(name) != want {
			t.Errorf("Secretive(%q) is not %v", name, want)
		}
	}
}
