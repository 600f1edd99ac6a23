import { tidy } from '@bourse/decimal'
import { setPreferences, usePreferences } from '@bourse/design'
import { useTexts } from '@bourse/locale'
import app from '../app.module.css'
import { Empty, Private, Segments, SignInFirst, Skeleton } from '../parts.tsx'
import { type Balance, useMember } from '../state/member.tsx'
import { useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import { DepositForm, DepositList } from './Deposits.tsx'
import styles from './wallet.module.css'

export function WalletScreen() {
  const text = useTexts(texts)
  const { state } = useMember()
  const { hideBalances, redUp } = usePreferences()
  const balances = useStore(state.balances)
  if (!state.signedIn) return <SignInFirst />
  const rows = balances && [...balances.values()].sort((a, b) => (a.asset.code < b.asset.code ? -1 : 1))
  return (
    <section className={`${app.narrow} ${styles.wallet}`}>
      <header className={app.heading}>
        <h1>{text.balances}</h1>
        <button
          type="button"
          className={app.quiet}
          aria-pressed={hideBalances}
          onClick={() => setPreferences({ hideBalances: !hideBalances })}
        >
          {hideBalances ? text.show : text.hide}
        </button>
      </header>
      <div className={app.card} data-testid="balances">
        <div className={styles.head} aria-hidden="true">
          <span>{text.asset}</span>
          <span>{text.available}</span>
          <span>{text.held}</span>
        </div>
        {!rows && <Skeleton rows={3} height={52} />}
        {rows?.length === 0 && <Empty>{text.noBalances}</Empty>}
        {rows?.map((balance) => (
          <Row key={balance.asset.code} balance={balance} />
        ))}
      </div>
      <DepositForm />
      <DepositList />
      <div className={styles.colours}>
        <span>{text.colours}</span>
        <Segments
          label={text.colours}
          value={redUp ? 'red' : 'green'}
          onChange={(value) => setPreferences({ redUp: value === 'red' })}
          options={[
            { value: 'green', label: text.greenUp },
            { value: 'red', label: text.redUp },
          ]}
        />
      </div>
    </section>
  )
}

function Row({ balance }: { balance: Balance }) {
  const { code } = balance.asset
  return (
    <div className={styles.row}>
      <b>{code}</b>
      <span data-testid={`balance-${code}-available`} data-amount={balance.available}>
        <Private>{tidy(balance.available)}</Private>
      </span>
      <span data-testid={`balance-${code}-held`} data-amount={balance.held}>
        <Private>{tidy(balance.held)}</Private>
      </span>
    </div>
  )
}
