import { clientKey, useAnswer, useCommand } from '@bourse/client'
import { RefusalNote, useSay } from '@bourse/console'
import { accepts, typed } from '@bourse/decimal'
import { type Refusal, useTexts } from '@bourse/locale'
import { Form, Input, InputNumber, Modal, Select } from 'antd'
import { useState } from 'react'
import { AssetsDocument, CreateAssetDocument, CreateMarketDocument } from './gql/graphql.ts'
import { texts } from './texts.ts'

export function NewAsset({ onClose }: { onClose(): void }) {
  const text = useTexts(texts)
  const say = useSay()
  const { run, busy } = useCommand(CreateAssetDocument)
  const [key] = useState(clientKey)
  const [code, setCode] = useState('')
  const [scale, setScale] = useState(8)
  const [refusal, setRefusal] = useState<Refusal>()
  const create = async () => {
    const outcome = await run({ input: { clientKey: key, code, scale } })
    if (outcome.refusal) return setRefusal(outcome.refusal)
    say.done(text.assetMade(code))
    onClose()
  }
  return (
    <Modal
      open
      title={text.newAsset}
      okText={text.create}
      cancelText={text.cancel}
      okButtonProps={{ disabled: !/^[A-Z0-9]{1,12}$/.test(code), 'data-testid': 'create-asset' }}
      confirmLoading={busy}
      onOk={create}
      onCancel={onClose}
    >
      <Form layout="vertical">
        <Form.Item label={text.code} extra={text.codeHint}>
          <Input
            autoFocus
            value={code}
            maxLength={12}
            data-testid="asset-code"
            onChange={(e) => setCode(e.target.value.toUpperCase())}
          />
        </Form.Item>
        <Form.Item label={text.scale}>
          <InputNumber min={0} max={18} precision={0} value={scale} onChange={(n) => setScale(n ?? 0)} />
        </Form.Item>
        <RefusalNote refusal={refusal} />
      </Form>
    </Modal>
  )
}

const empty = {
  base: '',
  quote: '',
  tickSize: '0.01',
  lotSize: '0.0001',
  minNotional: '5',
  makerFeeRate: '0.001',
  takerFeeRate: '0.002',
}

type Field = keyof typeof empty

export function NewMarket({ onClose }: { onClose(): void }) {
  const text = useTexts(texts)
  const say = useSay()
  const { data } = useAnswer(AssetsDocument, {})
  const { run, busy } = useCommand(CreateMarketDocument)
  const [key, setKey] = useState(clientKey)
  const [input, setInput] = useState(empty)
  const [refusal, setRefusal] = useState<Refusal>()
  const set = (field: Field, value: string) => {
    setInput({ ...input, [field]: value })
    setKey(clientKey()) // another content is another intent
  }
  const figures: [Field, string, string?][] = [
    ['tickSize', text.tick, text.tickHint],
    ['lotSize', text.lot, text.lotHint],
    ['minNotional', text.minNotional],
    ['makerFeeRate', text.makerFee, text.feeHint],
    ['takerFeeRate', text.takerFee],
  ]
  const exact = figures.map(([field]) => [field, typed(input[field])] as const)
  const ready =
    input.base !== '' &&
    input.quote !== '' &&
    input.base !== input.quote &&
    exact.every(([, v]) => v !== null)
  const create = async () => {
    const outcome = await run({
      input: { ...input, ...(Object.fromEntries(exact) as Pick<typeof empty, Field>), clientKey: key },
    })
    if (outcome.refusal) return setRefusal(outcome.refusal)
    say.done(text.marketMade(outcome.data.createMarket.market.symbol))
    onClose()
  }
  const options = data?.assets.map(({ code }) => ({ value: code, label: code })) ?? []
  return (
    <Modal
      open
      title={text.newMarket}
      okText={text.create}
      cancelText={text.cancel}
      okButtonProps={{ disabled: !ready, 'data-testid': 'create-market' }}
      confirmLoading={busy}
      onOk={create}
      onCancel={onClose}
    >
      <Form layout="vertical">
        {(['base', 'quote'] as const).map((field) => (
          <Form.Item key={field} label={text[field]}>
            <Select
              showSearch
              options={options}
              value={input[field] || null}
              data-testid={`market-${field}`}
              onChange={(value) => set(field, value ?? '')}
            />
          </Form.Item>
        ))}
        {figures.map(([field, label, hint]) => (
          <Form.Item key={field} label={label} extra={hint}>
            <Input
              inputMode="decimal"
              value={input[field]}
              data-testid={`market-${field}`}
              onChange={(e) => accepts(e.target.value, 18) && set(field, e.target.value)}
            />
          </Form.Item>
        ))}
        <RefusalNote refusal={refusal} />
      </Form>
    </Modal>
  )
}
