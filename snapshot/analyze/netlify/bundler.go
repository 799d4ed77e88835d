package netlify

import "path"

// Bundlers. What no setting decides follows from the file.
const (
	BundlerESBuild = "esbuild"
	BundlerNFT     = "nft"
	BundlerZISI    = "zisi"
	BundlerNone    = "none"
)

// EffectiveBundler returns the bundler that Netlify takes for the function with
// this main file, given what netlify.toml says, if anything. It is what decides which defects the build notices.
// Source: zip-it-and-ship-it 16, runtimes/node/bundlers/index.js.
func (f *Function) EffectiveBundler(main, configured string) string {
	set := f.Bundler
	if set == "" {
		set = configured
	}
	switch {
	case f.Version == V2 && set == BundlerNone:
		return BundlerNone
	case f.Version == V2:
		return BundlerNFT
	case set != "":
		return set
	}
	switch path.Ext(main) {
	case ".mjs", ".ts", ".tsx", ".cts", ".mts":
		return BundlerESBuild
	case ".cjs":
		return BundlerZISI
	}
	if f.Format == "esm" || f.Dynamic {
		return BundlerNFT
	}
	return BundlerZISI
}
