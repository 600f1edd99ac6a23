import { defineTexts, useTexts } from '@bourse/locale'
import { Button, Space } from 'antd'
import { useEffect, useRef, useState } from 'react'

const texts = defineTexts({
  en: { previous: 'Previous', next: 'Next', page: (n: string) => `Page ${n}` },
  'zh-Hans': { previous: '上一页', next: '下一页', page: (n: string) => `第 ${n} 页` },
})

export interface PageEnd {
  hasNextPage: boolean
  endCursor?: string | null | undefined
}

/** Where someone is in a list that is asked for by cursor; `of` is what the list is filtered by. */
export function usePages(of: unknown = null) {
  const [cursors, setCursors] = useState<readonly string[]>([])
  const filter = JSON.stringify(of)
  const before = useRef(filter)
  useEffect(() => {
    if (before.current === filter) return
    before.current = filter
    setCursors([])
  }, [filter])
  const after = before.current === filter ? cursors.at(-1) : undefined
  return {
    after: after === undefined ? {} : { after },
    number: cursors.length + 1,
    previous: cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : undefined,
    nextFrom: (end: PageEnd | undefined) => {
      const cursor = end?.hasNextPage ? end.endCursor : undefined
      return cursor ? () => setCursors([...cursors, cursor]) : undefined
    },
  }
}

export function PageButtons({
  pages,
  end,
}: {
  pages: ReturnType<typeof usePages>
  end: PageEnd | undefined
}) {
  const text = useTexts(texts)
  const next = pages.nextFrom(end)
  if (!next && !pages.previous) return null
  return (
    <Space style={{ justifyContent: 'flex-end', width: '100%', marginTop: 12 }}>
      <Button disabled={!pages.previous} onClick={pages.previous}>
        {text.previous}
      </Button>
      <span>{text.page(String(pages.number))}</span>
      <Button disabled={!next} onClick={next}>
        {text.next}
      </Button>
    </Space>
  )
}
