/**
 * The router's playground: an editor for any schema that the router serves, and how the router answers.
 * Everything comes from the router itself; where it answers and what it explains is in playground.json.
 */
import 'graphiql/setup-workers/webpack'
import { createRoot } from 'react-dom/client'
import '@bourse/design/tokens.css'
// Piece by piece: together they would bring 300 kB of fonts along.
import '@graphiql/react/style.css'
import '@graphiql/plugin-doc-explorer/style.css'
import '@graphiql/plugin-history/style.css'
import 'graphiql/graphiql.css'
import './playground.css'
import { takeSecret } from './explain.ts'
import { Playground } from './Playground.tsx'
import type { RouterConfig } from './router.ts'

takeSecret()
const root = document.getElementById('root')
if (root) {
  const answer = await fetch('playground.json')
  const config = (await answer.json()) as RouterConfig
  createRoot(root).render(<Playground config={config} />)
}
