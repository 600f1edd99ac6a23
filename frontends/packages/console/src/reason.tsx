import { defineTexts, type Refusal, useTexts } from '@bourse/locale'
import { Form, Input, Modal, Typography } from 'antd'
import { type ReactNode, useState } from 'react'
import { RefusalNote } from './parts.tsx'

const texts = defineTexts({
  en: { reason: 'Reason', cancel: 'Cancel', confirm: (word: string) => `Type ${word} to confirm` },
  'zh-Hans': { reason: '原因', cancel: '取消', confirm: (word: string) => `输入 ${word} 以确认` },
})

interface Props {
  title: string
  action: string
  /** What will change. */
  children?: ReactNode
  hint?: string
  /** Must be typed before anything happens; for what is hard to undo. */
  word?: string
  danger?: boolean
  onClose(): void
  /** The refusal, or nothing when it is done. */
  onConfirm(reason: string): Promise<Refusal | undefined>
}

/** Asks why before something happens that others will ask about. */
export function ReasonDialog(props: Props) {
  const text = useTexts(texts)
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const ready = reason.trim() !== '' && (!props.word || typed === props.word)
  const confirm = async () => {
    setBusy(true)
    const refused = await props.onConfirm(reason.trim())
    setBusy(false)
    if (refused) setRefusal(refused)
    else props.onClose()
  }
  return (
    <Modal
      open
      title={props.title}
      okText={props.action}
      cancelText={text.cancel}
      okButtonProps={{ disabled: !ready, danger: props.danger ?? false, 'data-testid': 'confirm' }}
      confirmLoading={busy}
      onOk={confirm}
      onCancel={props.onClose}
      destroyOnHidden
    >
      <Form layout="vertical" requiredMark={false}>
        {props.children && <Typography.Paragraph>{props.children}</Typography.Paragraph>}
        <Form.Item label={text.reason} extra={props.hint}>
          <Input.TextArea
            autoFocus
            rows={2}
            maxLength={200}
            value={reason}
            data-testid="reason"
            onChange={(e) => setReason(e.target.value)}
          />
        </Form.Item>
        {props.word && (
          <Form.Item label={text.confirm(props.word)}>
            <Input
              value={typed}
              data-testid="confirm-word"
              autoComplete="off"
              onChange={(e) => setTyped(e.target.value)}
            />
          </Form.Item>
        )}
        <RefusalNote refusal={refusal} />
      </Form>
    </Modal>
  )
}
