import { createApi } from '@bourse/client'
import { endpoint, lifecycleOf } from '@bourse/microapp'
import { App } from './App.tsx'

export const { bootstrap, mount, unmount } = lifecycleOf(({ session, base, leave }) => {
  const api = createApi({ endpoint, session })
  return { view: <App api={api} session={session} base={base} leave={leave} />, dispose: api.close }
})
