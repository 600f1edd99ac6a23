/**
 * How every application is built. Mounted applications are ES modules that take React from
 * window.bourseReact (see packages/microapp/src/vendor.ts); beside each stands a page that brings
 * React along and runs the module alone.
 */
import { defineConfig, type RsbuildConfig } from '@rsbuild/core'
import { pluginReact } from '@rsbuild/plugin-react'

const api = process.env.BOURSE_API ?? 'http://127.0.0.1:8080'

const proxy = {
  // The host stays as the browser named it: the exchange compares it with the origin of a socket.
  '/graphql': { target: api, ws: true, changeOrigin: false },
  '/demo.json': { target: api },
}

/** Developing leaves what was built alone. */
const building = process.env.NODE_ENV === 'production'

const common: RsbuildConfig = {
  plugins: [pluginReact()],
  html: {
    scriptLoading: 'module',
    template: new URL('./page.html', import.meta.url).pathname,
  },
  output: { module: true, legalComments: 'none', cleanDistPath: building, sourceMap: false, polyfill: 'off' },
  performance: { printFileSize: false },
  server: { proxy },
  dev: { client: { overlay: true } },
}

const shared: Record<string, string> = {
  react: 'React',
  'react/jsx-runtime': 'JsxRuntime',
  'react-dom': 'ReactDOM',
  'react-dom/client': 'ReactDOMClient',
}

/** React itself, and the module that shares it, are built in; everyone else takes it from window. */
const bringsReact =
  /[\\/]packages[\\/]microapp[\\/]src[\\/]vendor\.ts$|[\\/]node_modules[\\/](react|react-dom|scheduler)[\\/]/

export function mountedApp(name: 'member' | 'agent' | 'admin', title: string): RsbuildConfig {
  return defineConfig({
    ...common,
    root: new URL(`./${name}/`, import.meta.url).pathname,
    source: {
      entry: {
        index: './src/alone.ts',
        entry: { import: './src/entry.tsx', html: false },
      },
    },
    html: { ...common.html, title, favicon: '../shell/public/favicon.svg' },
    output: {
      ...common.output,
      assetPrefix: `/apps/${name}/`,
      distPath: { root: `../dist/${name}` },
      manifest: true,
    },
    server: { ...common.server, base: `/apps/${name}` },
    tools: {
      rspack: {
        output: { library: { type: 'module' }, uniqueName: `bourse-${name}` },
        externals: [
          ({ request, contextInfo }, done) => {
            const global = request ? shared[request] : undefined
            if (!global || bringsReact.test(contextInfo?.issuer ?? '')) return done()
            done(undefined, `bourseReact.${global}`, 'var')
          },
        ],
      },
    },
    // The entry stays one file; what several lazy parts need is fetched once.
    splitChunks: { preset: 'none', chunks: 'async' },
  })
}

export interface MountedEntry {
  script: string
  styles: string[]
}

export function shell(entries: Record<string, MountedEntry>): RsbuildConfig {
  return defineConfig({
    ...common,
    root: new URL('./shell/', import.meta.url).pathname,
    source: {
      entry: { index: './src/index.tsx' },
      define: { APP_ENTRIES: JSON.stringify(entries) },
    },
    html: { ...common.html, title: 'Bourse', favicon: './public/favicon.svg' },
    resolve: {
      // qiankun uses a few functions of lodash that bring half of it along.
      alias: Object.fromEntries(
        ['cloneDeep', 'concat', 'forEach', 'memoize', 'mergeWith', 'snakeCase', 'without'].map((name) => [
          `lodash/${name}$`,
          new URL(`./shell/src/lodash/${name}.ts`, import.meta.url).pathname,
        ]),
      ),
    },
    output: { ...common.output, assetPrefix: '/', distPath: { root: '../dist/shell' } },
    server: { ...common.server, historyApiFallback: true },
    tools: {
      rspack: {
        module: {
          rules: [
            {
              // qiankun finds `window` by evaluating text, which a strict content policy forbids.
              test: /[\\/]qiankun[\\/]es[\\/]utils\.js$/,
              loader: new URL('./scripts/noEval.cjs', import.meta.url).pathname,
            },
          ],
        },
      },
    },
    splitChunks: false,
  })
}

/** The router's playground: one page with all that it needs, under whatever path the router serves it. */
export function playground(): RsbuildConfig {
  return defineConfig({
    ...common,
    root: new URL('./playground/', import.meta.url).pathname,
    source: { entry: { index: './src/index.tsx' } },
    html: { ...common.html, title: 'Router playground', favicon: '../shell/public/favicon.svg' },
    output: { ...common.output, assetPrefix: 'auto', distPath: { root: '../dist/playground' } },
    splitChunks: false,
  })
}
