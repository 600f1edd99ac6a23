// The API as clients see it. `bourse compose` writes it to graph/api.graphql; where that file is
// not there yet, it is the union of the subgraphs' schemas without federation's directives.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefinitionNode, type DirectiveNode, Kind, parse, print, visit } from 'graphql'

const graph = join(dirname(fileURLToPath(import.meta.url)), '../../graph')
const federation = new Set(['key', 'external', 'requires', 'provides', 'shareable', 'link', 'override'])

export function apiSchema(): string {
  const composed = join(graph, 'api.graphql')
  if (existsSync(composed)) return readFileSync(composed, 'utf8')
  const texts = ['shared', 'member', 'agent', 'admin'].flatMap((name) => {
    const folder = join(graph, 'schema', name)
    return readdirSync(folder)
      .filter((file) => file.endsWith('.graphqls'))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8'))
  })
  return union(texts)
}

function union(texts: string[]): string {
  const types = new Map<string, DefinitionNode>()
  for (const definition of texts.flatMap((text) => parse(text).definitions)) {
    if (definition.kind === Kind.SCHEMA_EXTENSION) continue
    if (!('name' in definition) || !definition.name) continue
    const name = definition.name.value
    const known = types.get(name)
    types.set(name, known ? merge(known, definition) : closed(definition))
  }
  const document = visit(
    { kind: Kind.DOCUMENT, definitions: [...types.values()] },
    { Directive: (node: DirectiveNode) => (federation.has(node.name.value) ? null : undefined) },
  )
  return print(document)
}

/** `extend type` and `type` are the same thing once the parts are laid together. */
function closed(definition: DefinitionNode): DefinitionNode {
  return definition.kind === Kind.OBJECT_TYPE_EXTENSION
    ? { ...definition, kind: Kind.OBJECT_TYPE_DEFINITION }
    : definition
}

function merge(known: DefinitionNode, more: DefinitionNode): DefinitionNode {
  if (!('fields' in known) || !('fields' in more)) return known
  const names = new Set(known.fields?.map((field) => field.name.value))
  const added = more.fields?.filter((field) => !names.has(field.name.value)) ?? []
  return { ...known, fields: [...(known.fields ?? []), ...added] } as DefinitionNode
}
