import { existsSync, readFileSync } from 'node:fs'
import { type MountedEntry, shell } from '../rsbuild.shared.ts'

interface Manifest {
  entries: Record<string, { initial?: { js?: string[]; css?: string[] } }>
}

/** The hashed names of an application's entry, as its build wrote them; absent until it was built. */
function entryOf(name: string): [string, MountedEntry][] {
  const file = new URL(`../dist/${name}/manifest.json`, import.meta.url)
  if (!existsSync(file)) return []
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  const initial = manifest.entries.entry?.initial
  const script = initial?.js?.at(-1)
  return script ? [[name, { script, styles: initial?.css ?? [] }]] : []
}

export default shell(Object.fromEntries(['member', 'agent', 'admin'].flatMap(entryOf)))
