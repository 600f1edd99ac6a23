/**
 * What to tell a person when the exchange refuses: one sentence per code, with what to do about
 * it. Details that the API sends along are shown where they help.
 */
import { type Locale, usePreferences } from '@bourse/design'

export interface Refusal {
  /** The API's extensions.code, or NETWORK when no answer came. */
  code: string
  message: string
  details?: Record<string, string>
}

const texts: Record<string, Record<Locale, string>> = {
  NETWORK: {
    en: 'The exchange cannot be reached. Check the connection and try again.',
    'zh-Hans': '无法连接交易所，请检查网络后重试。',
  },
  UNAUTHENTICATED: { en: 'Please sign in.', 'zh-Hans': '请先登录。' },
  TOKEN_EXPIRED: {
    en: 'The session has ended. Please sign in again.',
    'zh-Hans': '会话已过期，请重新登录。',
  },
  FORBIDDEN: { en: 'This account may not do that.', 'zh-Hans': '当前账户无权执行此操作。' },
  NOT_FOUND: { en: 'It is not there, or not yours.', 'zh-Hans': '未找到，或不属于您。' },
  INVALID_ARGUMENT: { en: 'Please check what was entered.', 'zh-Hans': '输入有误，请检查。' },
  INVALID_CREDENTIALS: { en: 'Username or password is wrong.', 'zh-Hans': '用户名或密码错误。' },
  INVITE_INVALID: {
    en: 'This invite code is unknown, used up or expired.',
    'zh-Hans': '邀请码无效、已用完或已过期。',
  },
  USERNAME_TAKEN: { en: 'This username is taken. Choose another.', 'zh-Hans': '用户名已被占用，请换一个。' },
  WEAK_PASSWORD: {
    en: 'This password is too easy to guess. Use at least 10 characters.',
    'zh-Hans': '密码太弱，请至少使用 10 个字符。',
  },
  RATE_LIMITED: {
    en: 'Too many tries. Wait a minute and try again.',
    'zh-Hans': '尝试过于频繁，请稍后再试。',
  },
  UNKNOWN_ASSET: { en: 'This asset does not exist here.', 'zh-Hans': '该资产不存在。' },
  UNKNOWN_MARKET: { en: 'This market does not exist here.', 'zh-Hans': '该市场不存在。' },
  INVALID_MARKET: {
    en: 'These figures do not make a market. Check tick, lot and fees.',
    'zh-Hans': '市场参数有误，请检查变动价位、交易单位与费率。',
  },
  CLOCK_WENT_BACK: {
    en: "The exchange's clock is being put right. Try again in a moment.",
    'zh-Hans': '交易所时钟正在校准，请稍后重试。',
  },
  MARKET_EXISTS: { en: 'There is such a market already.', 'zh-Hans': '该市场已存在。' },
  ASSET_EXISTS: { en: 'There is such an asset already.', 'zh-Hans': '该资产已存在。' },
  MARKET_HALTED: {
    en: 'Trading in this market is halted. Open orders may be cancelled.',
    'zh-Hans': '该市场已暂停交易，可撤销未成交委托。',
  },
  INVALID_PRICE: { en: 'Enter a price above zero.', 'zh-Hans': '请输入大于零的价格。' },
  PRICE_OFF_TICK: {
    en: 'The price is not a multiple of the tick.',
    'zh-Hans': '价格不是最小变动价位的整数倍。',
  },
  INVALID_QUANTITY: { en: 'Enter a quantity above zero.', 'zh-Hans': '请输入大于零的数量。' },
  QUANTITY_OFF_LOT: {
    en: 'The quantity is not a multiple of the lot.',
    'zh-Hans': '数量不是最小交易单位的整数倍。',
  },
  INVALID_AMOUNT: { en: 'Enter an amount above zero.', 'zh-Hans': '请输入大于零的金额。' },
  TOO_MANY_DECIMALS: { en: 'The amount has too many decimals.', 'zh-Hans': '金额小数位过多。' },
  BELOW_MIN_NOTIONAL: {
    en: 'The order is below the least value of this market.',
    'zh-Hans': '委托金额低于该市场的最低要求。',
  },
  AMOUNT_OVERFLOW: { en: 'The amount is too large.', 'zh-Hans': '金额过大。' },
  INSUFFICIENT_BALANCE: {
    en: 'The available balance does not cover this order and its fee.',
    'zh-Hans': '可用余额不足以支付委托及手续费。',
  },
  NO_LIQUIDITY: {
    en: 'There is nothing to trade with at the moment.',
    'zh-Hans': '当前没有可成交的对手盘。',
  },
  TOO_MANY_OPEN_ORDERS: {
    en: 'Too many open orders. Cancel some first.',
    'zh-Hans': '未成交委托过多，请先撤销部分委托。',
  },
  ORDER_NOT_FOUND: { en: 'There is no such order.', 'zh-Hans': '委托不存在。' },
  ORDER_NOT_OPEN: { en: 'The order has ended already.', 'zh-Hans': '委托已结束。' },
  IDEMPOTENCY_CONFLICT: {
    en: 'This was sent before with other content. Look at the list before sending again.',
    'zh-Hans': '相同请求已以不同内容提交，请先核对列表。',
  },
  INVALID_IDEMPOTENCY_KEY: {
    en: 'The request was malformed. Reload the page.',
    'zh-Hans': '请求格式有误，请刷新页面。',
  },
  DEPOSIT_NOT_FOUND: { en: 'There is no such deposit.', 'zh-Hans': '充值申请不存在。' },
  DEPOSIT_NOT_PENDING: { en: 'Someone decided on this deposit already.', 'zh-Hans': '该充值申请已被处理。' },
  SELF_APPROVAL: { en: 'Nobody approves what benefits themselves.', 'zh-Hans': '不能审批与自己有关的申请。' },
  SELF_TRADE: { en: 'The order would have met one of your own.', 'zh-Hans': '该委托将与您自己的委托成交。' },
  UNAVAILABLE: {
    en: 'The exchange cannot store this at the moment. Nothing was lost; try again.',
    'zh-Hans': '交易所暂时无法写入，数据未丢失，请重试。',
  },
  OVERLOADED: {
    en: 'The exchange is very busy. Try again in a moment.',
    'zh-Hans': '交易所繁忙，请稍后重试。',
  },
  SEQUENCE_NOT_REACHED: {
    en: 'The view is still catching up. Try again in a moment.',
    'zh-Hans': '数据正在同步，请稍后重试。',
  },
  SUBSCRIPTION_LAGGED: {
    en: 'Live data fell behind and is being fetched anew.',
    'zh-Hans': '实时数据落后，正在重新获取。',
  },
  GRAPHQL_VALIDATION_FAILED: {
    en: 'This page is older than the exchange. Reload it.',
    'zh-Hans': '页面版本过旧，请刷新。',
  },
  INTERNAL_SERVER_ERROR: {
    en: 'Something went wrong on our side. It was recorded; try again.',
    'zh-Hans': '服务器内部错误，已记录，请重试。',
  },
}

/** Every code with a text of its own. */
export const knownCodes: readonly string[] = Object.keys(texts)

export function refusalText(refusal: Refusal, locale: Locale): string {
  const sentence = texts[refusal.code]?.[locale]
  if (!sentence) return `${refusal.message} (${refusal.code})`
  const hint = hintOf(refusal.details)
  return hint ? `${sentence} ${hint}` : sentence
}

/** The one detail that says what would be right, where the API named it. */
function hintOf(details: Record<string, string> | undefined): string {
  const values = ['tickSize', 'lotSize', 'minNotional', 'required', 'limit', 'reason'].flatMap((name) => {
    const value = details?.[name]
    return value ? [value] : []
  })
  return values.length > 0 ? `(${values.join(', ')})` : ''
}

export function useRefusalText(): (refusal: Refusal) => string {
  const { locale } = usePreferences()
  return (refusal) => refusalText(refusal, locale)
}
