import { lifecycleOf } from '@bourse/microapp'

export const { bootstrap, mount, unmount } = lifecycleOf(() => ({ view: null, dispose: () => {} }))
