import { useAnswer, useCommand } from '@bourse/client'
import { Moment, PageButtons, PageHead, ReasonDialog, RefusalNote, usePages } from '@bourse/console'
import { tidy } from '@bourse/decimal'
import { type Refusal, useRefusalText, useTexts } from '@bourse/locale'
import { Button, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import {
  ApproveDepositDocument,
  type PendingDepositFactsFragment,
  PendingDepositsDocument,
  RejectDepositDocument,
} from './gql/graphql.ts'
import { texts } from './texts.ts'

type Deposit = PendingDepositFactsFragment
type Result = 'deciding' | 'approved' | 'rejected' | Refusal

/** Deposits to decide on. What was decided here stays in sight, with its result, until cleared. */
export function Deposits() {
  const text = useTexts(texts)
  const pages = usePages()
  const answer = useAnswer(PendingDepositsDocument, { first: 50, ...pages.after }, { every: 3000 })
  const { run: approve } = useCommand(ApproveDepositDocument)
  const { run: reject } = useCommand(RejectDepositDocument)
  const [decided, setDecided] = useState<ReadonlyMap<string, { deposit: Deposit; result: Result }>>(new Map())
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [rejecting, setRejecting] = useState<Deposit>()

  const pending = answer.data?.agent.pendingDeposits
  const fresh = (pending?.nodes ?? []).filter(({ id }) => !decided.has(id))
  const rows = [...fresh, ...[...decided.values()].map(({ deposit }) => deposit)]
  const resultOf = (id: string) => decided.get(id)?.result
  const note = (deposit: Deposit, result: Result) =>
    setDecided((before) => new Map(before).set(deposit.id, { deposit, result }))

  const approveOne = async (deposit: Deposit) => {
    note(deposit, 'deciding')
    const { refusal } = await run(deposit)
    note(deposit, refusal ?? 'approved')
  }
  const run = (deposit: Deposit) => approve({ input: { depositId: deposit.id } })
  const approveChosen = async () => {
    const ids = new Set(chosen)
    setChosen([])
    // One after the other: a result per row, and no burst.
    for (const deposit of fresh.filter(({ id }) => ids.has(id))) await approveOne(deposit)
  }
  const rejectOne = async (deposit: Deposit, reason: string) => {
    const { refusal } = await reject({ input: { depositId: deposit.id, reason } })
    if (!refusal) note(deposit, 'rejected')
    return refusal
  }
  const open = (id: string) => {
    const result = resultOf(id)
    return result === undefined || (typeof result === 'object' && result.code !== 'DEPOSIT_NOT_PENDING')
  }

  return (
    <>
      <PageHead title={text.deposits}>
        {decided.size > 0 && <Button onClick={() => setDecided(new Map())}>{text.clear}</Button>}
        <Button
          type="primary"
          disabled={chosen.length === 0}
          data-testid="approve-chosen"
          onClick={approveChosen}
        >
          {text.approveChosen(String(chosen.length))}
        </Button>
      </PageHead>
      <RefusalNote refusal={answer.refusal} />
      <Table<Deposit>
        rowKey="id"
        size="middle"
        loading={answer.loading && !answer.data}
        dataSource={rows}
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: text.noDeposits }}
        rowSelection={{
          selectedRowKeys: [...chosen],
          onChange: (keys) => setChosen(keys.map(String)),
          getCheckboxProps: ({ id }) => ({ disabled: resultOf(id) !== undefined }),
        }}
        onRow={({ id, member }) => ({
          'data-testid': 'deposit-row',
          'data-deposit-id': id,
          'data-username': member.username,
        })}
        columns={[
          {
            title: text.member,
            render: (_, { member }) => (
              <>
                {member.displayName} <small>{member.username}</small>
              </>
            ),
          },
          {
            title: text.amount,
            align: 'right',
            render: (_, { amount, asset }) => (
              <b>
                {tidy(amount)} {asset.code}
              </b>
            ),
          },
          { title: text.requested, dataIndex: 'requestedAt', render: (at: string) => <Moment at={at} /> },
          { title: text.result, render: (_, { id }) => <Decision result={resultOf(id)} /> },
          {
            key: 'actions',
            align: 'right',
            render: (_, deposit) =>
              open(deposit.id) && (
                <Space>
                  <Button type="primary" data-testid="approve-deposit" onClick={() => approveOne(deposit)}>
                    {text.approve}
                  </Button>
                  <Button danger data-testid="reject-deposit" onClick={() => setRejecting(deposit)}>
                    {text.reject}
                  </Button>
                </Space>
              ),
          },
        ]}
      />
      <PageButtons pages={pages} end={pending?.pageInfo} />
      {rejecting && (
        <ReasonDialog
          title={text.rejectTitle}
          action={text.reject}
          hint={text.rejectHint}
          danger
          onClose={() => setRejecting(undefined)}
          onConfirm={(reason) => rejectOne(rejecting, reason)}
        >
          {rejecting.member.displayName}: {tidy(rejecting.amount)} {rejecting.asset.code}
        </ReasonDialog>
      )}
    </>
  )
}

function Decision({ result }: { result: Result | undefined }) {
  const text = useTexts(texts)
  const say = useRefusalText()
  if (result === undefined) return <Tag>{text.waiting}</Tag>
  if (result === 'deciding') return <Tag color="processing">…</Tag>
  if (result === 'approved') return <Tag color="success">{text.approved}</Tag>
  if (result === 'rejected') return <Tag color="warning">{text.rejected}</Tag>
  return <Tag color="error">{say(result)}</Tag>
}
