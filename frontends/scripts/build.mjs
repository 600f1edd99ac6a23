// Builds the mounted applications and the playground, then the shell, which learns their hashed names, then lays a
// .gz and a .br beside every file that gains by it. `npm run build -- member` builds only what is
// named, and the shell.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { createRsbuild, loadConfig } from '@rsbuild/core'

process.env.NODE_ENV = 'production'
const here = new URL('..', import.meta.url).pathname
const dist = join(here, 'dist')
const names = ['member', 'agent', 'admin', 'playground']
const wanted = process.argv.slice(2)

const began = Date.now()
for (const name of names) {
  if (wanted.length === 0 || wanted.includes(name)) await build(name)
}
await build('shell')
await compress()
console.log(`built in ${((Date.now() - began) / 1000).toFixed(1)} s`)

async function build(name) {
  const start = Date.now()
  const { content } = await loadConfig({ cwd: join(here, name) })
  const rsbuild = await createRsbuild({ cwd: join(here, name), config: { ...content, logLevel: 'warn' } })
  await rsbuild.build()
  console.log(`${name.padEnd(7)} ${((Date.now() - start) / 1000).toFixed(1)} s`)
}

async function compress() {
  const br = promisify(brotliCompress)
  const gz = promisify(gzip)
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((file) => join(dist, file))
    .filter((file) => /\.(js|css|html|svg|json|ttf|webmanifest)$/.test(file) && statSync(file).isFile())
  const queue = files.filter(
    (file) => !existsSync(`${file}.br`) || statSync(`${file}.br`).mtimeMs < statSync(file).mtimeMs,
  )
  const one = async () => {
    for (let file = queue.pop(); file; file = queue.pop()) {
      const body = readFileSync(file)
      // The last per cent of a megabyte costs seconds.
      const quality = body.length > 600_000 ? 9 : 11
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: quality,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      }
      for (const [suffix, packed] of [
        ['.br', await br(body, { params })],
        ['.gz', await gz(body, { level: 9 })],
      ]) {
        if (packed.length < body.length) writeFileSync(file + suffix, packed)
        else rmSync(file + suffix, { force: true })
      }
    }
  }
  await Promise.all([one(), one()])
}
