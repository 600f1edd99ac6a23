import { useAnswer } from '@bourse/client'
import { Moment, PageButtons, PageHead, RefusalNote, usePages } from '@bourse/console'
import { useTexts } from '@bourse/locale'
import { Button, Table, Typography } from 'antd'
import { AuditDocument, type AuditQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Entry = AuditQuery['audit']['nodes'][number]

export function Audit() {
  const text = useTexts(texts)
  const pages = usePages()
  const { data, refusal, loading, reload } = useAnswer(AuditDocument, { first: 50, ...pages.after })
  return (
    <>
      <PageHead title={text.audit}>
        <Button onClick={reload} loading={loading}>
          {text.reload}
        </Button>
      </PageHead>
      <RefusalNote refusal={refusal} />
      <Table<Entry>
        rowKey="id"
        size="small"
        loading={loading && !data}
        dataSource={[...(data?.audit.nodes ?? [])]}
        pagination={false}
        scroll={{ x: 'max-content' }}
        onRow={({ action }) => ({ 'data-testid': 'audit-row', 'data-action': action })}
        columns={[
          { title: text.at, dataIndex: 'at', render: (at: string) => <Moment at={at} /> },
          { title: text.actor, dataIndex: 'actor' },
          {
            title: text.action,
            dataIndex: 'action',
            render: (action: string) => <Typography.Text code>{action}</Typography.Text>,
          },
          { title: text.subject, dataIndex: 'subject' },
          { title: text.details, dataIndex: 'details' },
        ]}
      />
      <PageButtons pages={pages} end={data?.audit.pageInfo} />
    </>
  )
}
