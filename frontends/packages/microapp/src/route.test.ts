import { describe, expect, it, vi } from 'vitest'
import { localPath, match, navigate } from './route.ts'

describe('addresses', () => {
  it('are read below the base', () => {
    expect(localPath('/member', '/member')).toBe('/')
    expect(localPath('/member/market/BTC-USDT/', '/member')).toBe('/market/BTC-USDT')
    expect(localPath('/membership', '/member')).toBe('/')
  })

  it('give their parameters', () => {
    expect(match('/market/:symbol', '/market/BTC-USDT')).toEqual({ symbol: 'BTC-USDT' })
    expect(match('/market/:symbol', '/market/a%2Fb')).toEqual({ symbol: 'a/b' })
    expect(match('/market/:symbol', '/market')).toBeNull()
    expect(match('/market/:symbol', '/market/%E0%A4%A')).toBeNull()
    expect(match('/wallet', '/orders')).toBeNull()
  })

  it('announce a move once, and not where nothing moves', () => {
    const listener = vi.fn()
    window.addEventListener('bourse:moved', listener)
    navigate('/member/wallet')
    navigate('/member/wallet')
    window.removeEventListener('bourse:moved', listener)
    expect(listener).toHaveBeenCalledTimes(1)
    expect(location.pathname).toBe('/member/wallet')
  })
})
