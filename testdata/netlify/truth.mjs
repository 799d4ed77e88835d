// Asks Netlify's own build tools what they make of folders and files, for
// `make conformance`. Nothing that it looks at is run: listing, parsing and
// packing only.
//
// Usage: node truth.mjs NODE_MODULES < request.json > answer.json
//
// The request names, relative to root: dirs (folders of functions), edges
// (folders of edge functions), configs (netlify.toml files with the folder that
// counts as the repository's root), and builds ({dir, bundler}).
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const modules = resolve(process.argv[2])
const load = (file) => import(pathToFileURL(join(modules, file)).href)
const zisi = '@netlify/zip-it-and-ship-it/dist/'
const { zipFunction } = await load(zisi + 'main.js')
const { getFunctionsFromPaths } = await load(zisi + 'runtimes/index.js')
const { RuntimeCache } = await load(zisi + 'utils/cache.js')
const { getFlags } = await load(zisi + 'feature_flags.js')
const { parseFile } = await load(zisi + 'runtimes/node/in_source_config/index.js')
const { getBundlerName } = await load(zisi + 'runtimes/node/bundlers/index.js')
const { findFunctions } = await load('@netlify/edge-bundler/dist/node/finder.js')
const { resolveConfig } = await load('@netlify/config/lib/index.js')

const request = JSON.parse(await text(process.stdin))
const at = (p) => join(request.root, p)
const rel = (p) => relative(request.root, p)
const featureFlags = getFlags({})
console.log = console.warn = console.error = () => {}

const analyse = async (f) => {
  const out = { name: f.name, main: rel(f.mainFile), runtime: f.runtime.name, extension: f.extension }
  if (f.runtime.name !== 'js' || f.extension === '.zip') return out
  try {
    const said = await parseFile(f.mainFile, { functionName: f.name })
    const { path, method, excludedPath, preferStatic, ...config } = said.config
    Object.assign(out, {
      config, api: said.runtimeAPIVersion ?? 1, format: said.inputModuleFormat, routes: said.routes, excluded: said.excludedRoutes,
      mode: said.invocationMode, events: said.eventSubscriptions, parsed: said.inputModuleFormat !== undefined,
    })
    out.bundler = (await getBundlerName({ config, extension: f.extension, featureFlags, mainFile: f.mainFile, runtimeAPIVersion: said.runtimeAPIVersion ?? 1 })).name
  } catch (error) {
    out.error = error.message
  }
  return out
}

const list = async (dir) => {
  const paths = (await readdir(at(dir))).sort().map((n) => join(at(dir), n))
  const options = { cache: new RuntimeCache(), config: {}, featureFlags }
  try {
    const all = await getFunctionsFromPaths(paths, options)
    const built = await getFunctionsFromPaths(paths, { ...options, cache: new RuntimeCache(), dedupe: true })
    return {
      functions: await Promise.all([...all.values()].map(analyse)),
      built: Object.fromEntries([...built.values()].map((f) => [f.name, { main: rel(f.mainFile), runtime: f.runtime.name }])),
    }
  } catch (error) {
    return { error: error.message }
  }
}

const configure = async ({ file, root }) => {
  try {
    const { config } = await resolveConfig({
      config: at(file), repositoryRoot: at(root), cwd: at(root), context: 'production', branch: 'main', offline: true, mode: 'require', buffer: true, env: {},
    })
    return {
      base: config.build.base && relative(at(root), config.build.base), directory: config.functionsDirectory && relative(at(root), config.functionsDirectory),
      origin: config.functionsDirectoryOrigin, edge: config.build.edge_functions && relative(at(root), config.build.edge_functions),
      functions: config.functions, edge_functions: config.edge_functions, redirects: config.redirects,
    }
  } catch (error) {
    return { error: error.message }
  }
}

const pack = async ({ dir, bundler }) => {
  const out = await mkdtemp(join(tmpdir(), 'pack-'))
  const paths = (await readdir(at(dir))).sort().map((n) => join(at(dir), n))
  const built = {}
  try {
    const functions = await getFunctionsFromPaths(paths, { cache: new RuntimeCache(), config: {}, dedupe: true, featureFlags })
    for (const f of functions.values()) {
      if (f.runtime.name !== 'js') continue
      try {
        const made = await zipFunction(f.srcPath, out, { basePath: request.root, config: bundler ? { '*': { nodeBundler: bundler } } : {} })
        built[f.name] = { ok: made !== undefined, bundler: made?.bundler, fallback: made?.bundlerErrors?.length > 0 }
      } catch (error) {
        built[f.name] = { ok: false, error: error.message }
      }
    }
  } catch (error) {
    built['*'] = { ok: false, error: error.message }
  }
  await rm(out, { recursive: true, force: true })
  return built
}

const each = async (inputs, of) => {
  const out = []
  for (const i of inputs ?? []) out.push(await of(i))
  return out
}
const answer = {
  dirs: await each(request.dirs, list),
  edges: await each(request.edges, async (d) => (await findFunctions([at(d)])).map((f) => ({ name: f.name, main: rel(f.path) }))),
  configs: await each(request.configs, configure),
  builds: await each(request.builds, pack),
}
process.stdout.write(JSON.stringify(answer, null, 1) + '\n')
process.exitCode = 0
