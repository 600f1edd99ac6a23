import { clientKey, useAnswer, useCommand } from '@bourse/client'
import { accepts, isPositive, tidy, typed } from '@bourse/decimal'
import { usePreferences } from '@bourse/design'
import { momentOf, type Refusal, useTexts } from '@bourse/locale'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import app from '../app.module.css'
import { AssetsDocument, DepositsDocument, RequestDepositDocument } from '../gql/graphql.ts'
import { Empty, Refused, Skeleton } from '../parts.tsx'
import { Intent } from '../state/intent.ts'
import { useMember } from '../state/member.tsx'
import { Store, useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import styles from './wallet.module.css'

/** Counts the deposits that were requested here, so that the list asks again at once. */
const requested = new Store(0)

export function DepositForm() {
  const text = useTexts(texts)
  const { state } = useMember()
  const { data, refusal: noAssets, reload } = useAnswer(AssetsDocument, {})
  const { run } = useCommand(RequestDepositDocument)
  const [chosen, setChosen] = useState('')
  const [amount, setAmount] = useState('')
  const [refusal, setRefusal] = useState<Refusal>()
  const [busy, setBusy] = useState(false)
  const [intent] = useState(() => new Intent(clientKey))
  const ids = [useId(), useId()] as const

  const asset = data?.assets.find(({ code }) => code === chosen) ?? data?.assets[0]
  const scale = asset?.scale ?? 0
  const submit = async (e: FormEvent) => {
    e.preventDefault()
    if (busy || !asset) return
    const exact = typed(amount)
    if (!exact || !isPositive(exact)) return setRefusal({ code: 'INVALID_AMOUNT', message: '' })
    setBusy(true)
    setRefusal(undefined)
    const content = { asset: asset.code, amount: exact }
    const outcome = await run({ input: { ...content, clientKey: intent.keyFor(content) } })
    setBusy(false)
    if (outcome.refusal) {
      if (!['NETWORK', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(outcome.refusal.code)) intent.answered()
      return setRefusal(outcome.refusal)
    }
    intent.answered()
    setAmount('')
    requested.update((n) => n + 1)
    state.notify('good', text.depositSent(`${tidy(exact)} ${asset.code}`))
  }
  return (
    <form className={`${app.card} ${styles.form}`} onSubmit={submit}>
      <h2>{text.deposit}</h2>
      <p className={styles.lead}>{text.depositLead}</p>
      <div className={styles.fields}>
        <div className={styles.field}>
          <label htmlFor={ids[0]}>{text.asset}</label>
          <select
            id={ids[0]}
            data-testid="deposit-asset"
            value={asset?.code ?? ''}
            onChange={(e) => {
              setChosen(e.target.value)
              setAmount('')
            }}
          >
            {data?.assets.map(({ code }) => (
              <option key={code}>{code}</option>
            ))}
          </select>
        </div>
        <div className={styles.field}>
          <label htmlFor={ids[1]}>{text.amount}</label>
          <input
            id={ids[1]}
            data-testid="deposit-amount"
            inputMode="decimal"
            autoComplete="off"
            placeholder={text.depositMax(String(scale))}
            value={amount}
            onChange={(e) => accepts(e.target.value, scale) && setAmount(e.target.value)}
          />
        </div>
        <button type="submit" className={app.primary} data-testid="deposit-submit" disabled={busy || !asset}>
          {busy ? text.sending : text.depositSend}
        </button>
      </div>
      {noAssets && !data && <Refused refusal={noAssets} retry={reload} />}
      {refusal && <Refused refusal={refusal} />}
    </form>
  )
}

/** Requests with their state: asked again when a balance changes, and while one waits. */
export function DepositList() {
  const text = useTexts(texts)
  const { locale } = usePreferences()
  const { state } = useMember()
  const [waiting, setWaiting] = useState(false)
  const { data, refusal, reload } = useAnswer(DepositsDocument, {}, waiting ? { every: 4000 } : {})
  const balances = useStore(state.balances)
  const count = useStore(requested)
  const first = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: both are signals to ask again
  useEffect(() => {
    if (first.current) first.current = false
    else reload()
  }, [balances, count, reload])
  const deposits = data?.me.deposits.nodes
  const pending = deposits?.some(({ status }) => status === 'PENDING') ?? false
  useEffect(() => setWaiting(pending), [pending])
  return (
    <div className={app.card}>
      <h2 className={styles.title}>{text.deposits}</h2>
      {!deposits && !refusal && <Skeleton rows={2} height={56} />}
      {refusal && !deposits && <Refused refusal={refusal} retry={reload} />}
      {deposits?.length === 0 && <Empty>{text.noDeposits}</Empty>}
      <ul className={styles.deposits} data-testid="deposits">
        {deposits?.map((deposit) => (
          <li
            key={deposit.id}
            data-testid="deposit"
            data-deposit-id={deposit.id}
            data-status={deposit.status}
          >
            <b>
              {tidy(deposit.amount)} {deposit.asset.code}
            </b>
            <span className={styles.status} data-status={deposit.status}>
              {text[`deposit${deposit.status}`]}
            </span>
            <small>
              <time dateTime={deposit.requestedAt}>{momentOf(deposit.requestedAt, locale)}</time>
              {deposit.note && ` · ${deposit.note}`}
            </small>
          </li>
        ))}
      </ul>
    </div>
  )
}
