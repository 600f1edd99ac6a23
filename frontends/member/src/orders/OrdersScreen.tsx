import { useTexts } from '@bourse/locale'
import app from '../app.module.css'
import { texts } from '../texts.ts'
import { OrdersPanel } from './OrdersPanel.tsx'

export function OrdersScreen() {
  const text = useTexts(texts)
  return (
    <section className={app.narrow}>
      <header className={app.heading}>
        <h1>{text.orders}</h1>
      </header>
      <div className={app.card}>
        <OrdersPanel />
      </div>
    </section>
  )
}
