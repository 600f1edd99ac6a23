import { useAnswer } from '@bourse/client'
import { Moment, PageHead, RefusalNote } from '@bourse/console'
import { format } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { Alert, Card, Descriptions, Progress, Skeleton, Table, Tag } from 'antd'
import type { ReactNode } from 'react'
import styles from './admin.module.css'
import { HealthDocument, type HealthQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Queue = HealthQuery['health']['queues'][number]

export function Health() {
  const text = useTexts(texts)
  const { data, refusal } = useAnswer(HealthDocument, {}, { every: 2000 })
  const health = data?.health
  if (!health) return refusal ? <RefusalNote refusal={refusal} /> : <Skeleton active />
  const { journal, projection, sequencer, reconciliation } = health
  return (
    <>
      <PageHead title={text.health} />
      <RefusalNote refusal={refusal} />
      <Alert
        className={styles.state ?? ''}
        type={health.status === 'OK' ? 'success' : 'warning'}
        showIcon
        data-testid="health-status"
        data-status={health.status}
        title={health.status === 'OK' ? text.allWell : text.degraded}
      />
      <div className={styles.cards}>
        <Facts
          title={text.journal}
          facts={[
            [
              text.committed,
              <span key="s" data-testid="committed-sequence">
                {format(journal.committedSequence)}
              </span>,
            ],
            [text.epoch, journal.epoch],
            [text.lastCommit, <Moment key="m" at={journal.lastCommitAt} />],
          ]}
        />
        <Facts
          title={text.projection}
          facts={[
            [text.projected, format(projection.projectedSequence)],
            [
              text.lag,
              <Tag key="lag" color={projection.lag > 1000 ? 'warning' : 'success'}>
                {text.commands(String(projection.lag))}
              </Tag>,
            ],
            [text.outbox, health.outboxDepth],
          ]}
        />
        <Facts
          title={text.sequencer}
          facts={[
            [
              text.queue,
              <span key="q">
                {text.queueOf(String(sequencer.queueDepth), format(String(sequencer.queueCapacity)))}
                <Progress
                  size="small"
                  showInfo={false}
                  percent={Math.ceil((100 * sequencer.queueDepth) / Math.max(1, sequencer.queueCapacity))}
                />
              </span>,
            ],
            [text.openOrders, format(String(sequencer.openOrders))],
          ]}
        />
        <Facts
          title={text.reconciliation}
          facts={
            reconciliation
              ? [
                  [
                    text.status,
                    <Tag
                      key="b"
                      color={reconciliation.balanced ? 'success' : 'error'}
                      data-testid="reconciliation"
                    >
                      {reconciliation.balanced
                        ? text.balanced
                        : text.notBalanced(String(reconciliation.differences))}
                    </Tag>,
                  ],
                  [text.details, text.checked(format(String(reconciliation.accountsChecked)))],
                  [text.atSequence, format(reconciliation.sequence)],
                  [text.finished, <Moment key="f" at={reconciliation.finishedAt} />],
                ]
              : [[text.status, text.noReconciliation]]
          }
        />
      </div>
      <h2 className={styles.subhead}>{text.queues}</h2>
      <Table<Queue>
        rowKey="name"
        size="small"
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: text.noQueues }}
        dataSource={[...health.queues]}
        columns={[
          { title: text.name, dataIndex: 'name' },
          { title: text.pending, dataIndex: 'pending', align: 'right' },
          { title: text.active, dataIndex: 'active', align: 'right' },
          { title: text.scheduled, dataIndex: 'scheduled', align: 'right' },
          { title: text.retry, dataIndex: 'retry', align: 'right' },
          { title: text.archived, dataIndex: 'archived', align: 'right' },
          { title: text.processed, dataIndex: 'processedToday', align: 'right' },
          { title: text.failed, dataIndex: 'failedToday', align: 'right' },
        ]}
      />
    </>
  )
}

function Facts({ title, facts }: { title: string; facts: [string, ReactNode][] }) {
  return (
    <Card size="small" title={title}>
      <Descriptions
        size="small"
        column={1}
        items={facts.map(([label, children]) => ({ key: label, label, children }))}
      />
    </Card>
  )
}
