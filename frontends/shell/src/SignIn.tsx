import { useRefusalText, useTexts } from '@bourse/locale'
import { homeOf, navigate } from '@bourse/microapp'
import { type Identity, type Session, SessionError, useSession } from '@bourse/session'
import { type FormEvent, type ReactNode, useEffect, useId, useState } from 'react'
import { linkTo } from './Bar.tsx'
import { type DemoSignIn, useDemo } from './demo.ts'
import styles from './shell.module.css'
import { texts } from './texts.ts'

/** Sends once, however often the button is pressed, and keeps what was refused. */
function useEntry(enter: () => Promise<Identity>) {
  const refusalText = useRefusalText()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<SessionError>()
  const submit = async (e?: FormEvent) => {
    e?.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      const { role } = await enter()
      // Someone who was sent here from a page of their own goes on there.
      if (!location.pathname.startsWith(homeOf[role])) navigate(homeOf[role], 'replace')
    } catch (failure) {
      setError(failure instanceof SessionError ? failure : new SessionError('NETWORK', String(failure)))
      setBusy(false)
    }
  }
  return { busy, submit, error: error && refusalText(error) }
}

/** Leaves a page for visitors as soon as someone is signed in. */
function useLeaveWhenSignedIn(session: Session): void {
  const state = useSession(session)
  const home = state.status === 'signed-in' ? homeOf[state.role] : null
  useEffect(() => {
    if (home && !location.pathname.startsWith(home)) navigate(home, 'replace')
  }, [home])
}

export function SignIn({ session }: { session: Session }) {
  const text = useTexts(texts)
  const state = useSession(session)
  useLeaveWhenSignedIn(session)
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const { busy, submit, error } = useEntry(() => session.signIn({ username: username.trim(), password }))
  const ended = state.status === 'signed-out' && state.reason === 'ended'
  return (
    <div className={styles.entry}>
      <form className={styles.panel} onSubmit={submit}>
        <h1>{text.signIn}</h1>
        {ended && !error && <p className={styles.hint}>{text.ended}</p>}
        <Field label={text.username}>
          {(id) => (
            <input
              id={id}
              data-testid="username"
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              value={username}
              onChange={(e) => setUsername(e.target.value)}
            />
          )}
        </Field>
        <Password value={password} onChange={setPassword} autoComplete="current-password" />
        <Refused text={error} />
        <button className={styles.primary} data-testid="sign-in" type="submit" disabled={busy}>
          {busy ? text.signingIn : text.signIn}
        </button>
        <p className={styles.aside}>
          {text.noAccount} <a {...linkTo('/register')}>{text.register}</a>
        </p>
      </form>
      <DemoSignIns session={session} />
    </div>
  )
}

export function Register({ session }: { session: Session }) {
  const text = useTexts(texts)
  useLeaveWhenSignedIn(session)
  const [input, setInput] = useState(() => ({
    inviteCode: new URLSearchParams(location.search).get('invite') ?? '',
    username: '',
    password: '',
    displayName: '',
  }))
  const offered = useDemo()?.inviteCode
  useEffect(() => {
    if (offered) setInput((before) => (before.inviteCode ? before : { ...before, inviteCode: offered }))
  }, [offered])
  const change = (field: keyof typeof input) => (value: string) => setInput({ ...input, [field]: value })
  const { busy, submit, error } = useEntry(() =>
    session.register({
      ...input,
      inviteCode: input.inviteCode.trim(),
      username: input.username.trim(),
      displayName: input.displayName.trim() || input.username.trim(),
    }),
  )
  return (
    <div className={styles.entry}>
      <form className={styles.panel} onSubmit={submit}>
        <h1>{text.register}</h1>
        <Field label={text.inviteCode} hint={text.inviteHint}>
          {(id) => (
            <input
              id={id}
              data-testid="invite-code"
              required
              autoCapitalize="none"
              spellCheck={false}
              value={input.inviteCode}
              onChange={(e) => change('inviteCode')(e.target.value)}
            />
          )}
        </Field>
        <Field label={text.username} hint={text.usernameHint}>
          {(id) => (
            <input
              id={id}
              data-testid="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              pattern="[a-z][a-z0-9._\-]{2,31}"
              title={text.usernameHint}
              value={input.username}
              onChange={(e) => change('username')(e.target.value)}
            />
          )}
        </Field>
        <Field label={text.displayName}>
          {(id) => (
            <input
              id={id}
              data-testid="display-name"
              autoComplete="name"
              maxLength={64}
              value={input.displayName}
              onChange={(e) => change('displayName')(e.target.value)}
            />
          )}
        </Field>
        <Password
          value={input.password}
          onChange={change('password')}
          autoComplete="new-password"
          hint={text.passwordHint}
          least={10}
        />
        <Refused text={error} />
        <button className={styles.primary} data-testid="register" type="submit" disabled={busy}>
          {busy ? text.registering : text.register}
        </button>
        <p className={styles.aside}>
          {text.haveAccount} <a {...linkTo('/sign-in')}>{text.signIn}</a>
        </p>
      </form>
    </div>
  )
}

/** One press per role of a demonstration house; nothing in a real one. */
export function DemoSignIns({ session }: { session: Session }) {
  const text = useTexts(texts)
  const demo = useDemo()
  const [chosen, setChosen] = useState<DemoSignIn>()
  const { busy, submit, error } = useEntry(() =>
    session.signIn({ username: chosen?.username ?? '', password: chosen?.password ?? '' }),
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: a choice is one submission
  useEffect(() => {
    if (chosen) void submit()
  }, [chosen])
  if (!demo || demo.signIns.length === 0) return null
  return (
    <section className={styles.panel} data-testid="demo-sign-ins">
      <h2>{text.demoSignIns}</h2>
      <Refused text={error} />
      <ul className={styles.signIns}>
        {demo.signIns.map((signIn) => (
          <li key={signIn.username}>
            <button
              type="button"
              data-testid={`demo-${signIn.username}`}
              disabled={busy}
              onClick={() => setChosen({ ...signIn })}
            >
              <strong>{text[signIn.role.toLowerCase() as 'member' | 'agent' | 'admin']}</strong>
              <code>{signIn.username}</code>
              <code>{signIn.password}</code>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Field(props: { label: string; hint?: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{props.label}</label>
      {props.children(id)}
      {props.hint && <small>{props.hint}</small>}
    </div>
  )
}

function Password(props: {
  value: string
  onChange(value: string): void
  autoComplete: string
  hint?: string
  least?: number
}) {
  const text = useTexts(texts)
  const [shown, setShown] = useState(false)
  return (
    <Field label={text.password} {...(props.hint ? { hint: props.hint } : {})}>
      {(id) => (
        <span className={styles.password}>
          <input
            id={id}
            data-testid="password"
            type={shown ? 'text' : 'password'}
            autoComplete={props.autoComplete}
            required
            minLength={props.least}
            maxLength={128}
            value={props.value}
            onChange={(e) => props.onChange(e.target.value)}
          />
          <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? text.hidePassword : text.showPassword}
          </button>
        </span>
      )}
    </Field>
  )
}

function Refused({ text }: { text: string | undefined }) {
  return text ? (
    <p className={styles.refused} role="alert" data-testid="error">
      {text}
    </p>
  ) : null
}
