/** The functions by which qiankun starts and stops an application. */
import type { ReactNode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import type { MountProps } from './contract.ts'

export interface Lifecycle {
  bootstrap(): Promise<void>
  mount(props: MountProps): Promise<void>
  unmount(props: MountProps): Promise<void>
}

/** `render` gives the whole application; what it opens beside React it closes in `dispose`. */
export function lifecycleOf(start: (props: MountProps) => { view: ReactNode; dispose(): void }): Lifecycle {
  let root: Root | undefined
  let dispose: (() => void) | undefined
  return {
    bootstrap: async () => {},
    mount: async (props) => {
      const host = document.createElement('div')
      host.style.minHeight = '100%'
      props.container.replaceChildren(host)
      const started = start(props)
      dispose = started.dispose
      root = createRoot(host)
      root.render(started.view)
    },
    unmount: async (props) => {
      root?.unmount()
      dispose?.()
      root = undefined
      dispose = undefined
      props.container.replaceChildren()
    },
  }
}
