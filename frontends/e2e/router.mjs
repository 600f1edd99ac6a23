// A router before two small subgraphs, for tests of its playground. Everything is on loopback and ends with close().
//
//   BOURSE        the binary, ../bin/bourse if absent
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildSchema, execute, parse, subscribe } from 'graphql'

const bourse = process.env.BOURSE ?? join(import.meta.dirname, '../../bin/bourse')

const link = (...names) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ${JSON.stringify(names)})\n`
const product = { __typename: 'Product', id: '1', name: 'chair' }

const graphs = {
  products: {
    imports: ['@key'],
    types: `
      type Query { products: [Product!]! }
      type Mutation { rename(id: ID!, name: String!): Product }
      type Subscription { sold: Product! }
      type Product KEY { id: ID! name: String! }`,
    root: {
      products: [product, { ...product, id: '2', name: 'table' }],
      rename: ({ id, name }) => ({ ...product, id, name }),
    },
    events: async function* () {
      for (const id of ['1', '2']) yield { sold: { ...product, id } }
    },
    entity: ({ id }) => ({ ...product, id }),
  },
  reviews: {
    imports: ['@key'],
    types: `
      type Query { best: Int }
      type Product KEY { id: ID! stars: Int! }`,
    root: { best: 5 },
    entity: ({ id }) => ({ __typename: 'Product', id, stars: Number(id) + 3 }),
  },
}

/** Serves one subgraph: JSON for queries and mutations, server-sent events for subscriptions. */
async function serveSubgraph(graph) {
  const own = graph.types
    .replaceAll('KEY', '')
    .replace(/type Query \{/, 'type Query { _entities(representations: [_Any!]!): [_Entity]! ')
  const schema = buildSchema(`${own}\nscalar _Any union _Entity = Product`)
  const rootValue = { ...graph.root, _entities: ({ representations }) => representations.map(graph.entity) }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    const { query, variables } = JSON.parse(text)
    const document = parse(query)
    if (document.definitions[0].operation !== 'subscription') {
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(await execute({ schema, document, rootValue, variableValues: variables })))
      return
    }
    response.setHeader('Content-Type', 'text/event-stream')
    const events = await subscribe({
      schema,
      document,
      rootValue: { sold: () => graph.events() },
      variableValues: variables,
    })
    for await (const event of events) response.write(`event: next\ndata: ${JSON.stringify(event)}\n\n`)
    response.end('event: complete\ndata:\n\n')
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return server
}

export class Router {
  static async open(...args) {
    const router = new Router()
    router.folder = mkdtempSync(join(tmpdir(), 'playground-'))
    router.servers = []
    const config = ['federation_version: =2.9.0', 'subgraphs:']
    for (const [name, graph] of Object.entries(graphs)) {
      const server = await serveSubgraph(graph)
      router.servers.push(server)
      const file = join(router.folder, `${name}.graphql`)
      writeFileSync(file, link(...graph.imports) + graph.types.replaceAll('KEY', '@key(fields: "id")'))
      config.push(`  ${name}:`, `    routing_url: http://127.0.0.1:${server.address().port}/graphql`)
      config.push('    schema:', `      file: ${file}`)
    }
    const supergraph = join(router.folder, 'supergraph.graphql')
    writeFileSync(join(router.folder, 'supergraph.yaml'), `${config.join('\n')}\n`)
    execFileSync(bourse, ['compose', '--config', join(router.folder, 'supergraph.yaml'), '-o', supergraph])
    router.process = spawn(
      bourse,
      ['router', '--supergraph', supergraph, '--listen', '127.0.0.1:0', ...args],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    router.ended = new Promise((ended) => router.process.once('exit', ended))
    router.playground = await new Promise((found, failed) => {
      router.process.once('exit', (code) => failed(new Error(`the router ended with ${code}`)))
      createInterface({ input: router.process.stderr }).on('line', (line) => {
        const address = line.match(/^playground on (http:\S+)/)?.[1]
        if (address) found(address)
      })
    })
    return router
  }

  async close() {
    this.process.kill('SIGINT')
    await this.ended
    for (const server of this.servers) server.close()
    rmSync(this.folder, { recursive: true })
  }
}
