import { useAnswer, useCommand } from '@bourse/client'
import { Moment, PageHead, RefusalNote, useSay } from '@bourse/console'
import { type Refusal, useTexts } from '@bourse/locale'
import { Button, Form, InputNumber, Modal, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { CreateInviteDocument, InvitesDocument, type InvitesQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Invite = InvitesQuery['agent']['invites'][number]

export function Invites() {
  const text = useTexts(texts)
  const say = useSay()
  const { data, refusal, loading, reload } = useAnswer(InvitesDocument, {}, { every: 15_000 })
  const [making, setMaking] = useState(false)
  const copy = async (code: string) => {
    const link = `${location.origin}/register?invite=${encodeURIComponent(code)}`
    try {
      await navigator.clipboard.writeText(link)
      say.done(text.copied)
    } catch {
      window.prompt(text.copyFailed, link)
    }
  }
  return (
    <>
      <PageHead title={text.invites}>
        <Button type="primary" data-testid="new-invite" onClick={() => setMaking(true)}>
          {text.newInvite}
        </Button>
      </PageHead>
      <RefusalNote refusal={refusal} />
      <Table<Invite>
        rowKey="code"
        size="middle"
        loading={loading && !data}
        dataSource={[...(data?.agent.invites ?? [])]}
        pagination={{ pageSize: 50, hideOnSinglePage: true }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: text.noInvites }}
        onRow={({ code }) => ({ 'data-testid': 'invite-row', 'data-code': code })}
        columns={[
          {
            title: text.code,
            dataIndex: 'code',
            render: (code: string) => <Typography.Text code>{code}</Typography.Text>,
          },
          {
            title: text.uses,
            render: (_, { uses, maxUses }) => (
              <>
                {uses} / {maxUses} {uses >= maxUses && <Tag>{text.usedUp}</Tag>}
              </>
            ),
          },
          {
            title: text.expires,
            dataIndex: 'expiresAt',
            render: (at: string) => (
              <>
                <Moment at={at} /> {Date.parse(at) < Date.now() && <Tag>{text.expired}</Tag>}
              </>
            ),
          },
          { title: text.created, dataIndex: 'createdAt', render: (at: string) => <Moment at={at} /> },
          {
            key: 'copy',
            align: 'right',
            render: (_, { code }) => <Button onClick={() => copy(code)}>{text.copy}</Button>,
          },
        ]}
      />
      {making && (
        <NewInvite
          onClose={(code) => {
            setMaking(false)
            if (!code) return
            say.done(text.inviteMade(code))
            reload()
          }}
        />
      )}
    </>
  )
}

function NewInvite({ onClose }: { onClose: (code?: string) => void }) {
  const text = useTexts(texts)
  const { run, busy } = useCommand(CreateInviteDocument)
  const [input, setInput] = useState({ maxUses: 1, validDays: 30 })
  const [refusal, setRefusal] = useState<Refusal>()
  const create = async () => {
    const outcome = await run({ input })
    if (outcome.refusal) setRefusal(outcome.refusal)
    else onClose(outcome.data.createInvite.invite.code)
  }
  return (
    <Modal
      open
      title={text.newInvite}
      okText={text.create}
      cancelText={text.cancel}
      okButtonProps={{ 'data-testid': 'create-invite' }}
      confirmLoading={busy}
      onOk={create}
      onCancel={() => onClose()}
    >
      <Form layout="vertical">
        <Form.Item label={text.maxUses}>
          <InputNumber
            min={1}
            max={1000}
            precision={0}
            value={input.maxUses}
            data-testid="invite-max-uses"
            onChange={(maxUses) => setInput({ ...input, maxUses: maxUses ?? 1 })}
          />
        </Form.Item>
        <Form.Item label={text.validDays}>
          <InputNumber
            min={1}
            max={365}
            precision={0}
            value={input.validDays}
            data-testid="invite-valid-days"
            onChange={(validDays) => setInput({ ...input, validDays: validDays ?? 30 })}
          />
        </Form.Item>
        <RefusalNote refusal={refusal} />
      </Form>
    </Modal>
  )
}
