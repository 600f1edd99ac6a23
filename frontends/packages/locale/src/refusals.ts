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
  OUTCOME_UNKNOWN: {
    en: 'It is not known yet whether this went through. Send it again: it will not happen twice.',
    'zh-Hans': '结果暂时未知，请重新提交；同一请求不会执行两次。',
  },
  MARKET_CLOSED: {
    en: 'This market is closed. Orders are accepted when it opens.',
    'zh-Hans': '该市场已休市，开市后可下单。',
  },
  CANCEL_ONLY: {
    en: 'Only cancelling and reducing orders is possible in this market now.',
    'zh-Hans': '该市场目前仅允许撤单或减少数量。',
  },
  ORDER_TYPE_NOT_ALLOWED: {
    en: "This kind of order is not possible in the market's present phase.",
    'zh-Hans': '当前市场阶段不接受此类委托。',
  },
  INVALID_PHASE_CHANGE: {
    en: 'The market cannot change from its present phase to that one.',
    'zh-Hans': '市场无法从当前阶段切换到该阶段。',
  },
  PRICE_OUTSIDE_BAND: {
    en: 'The price is outside the band that the market allows.',
    'zh-Hans': '价格超出市场允许的波动区间。',
  },
  PRICE_TOO_FAR: {
    en: 'The price is suspiciously far from the market. Check for a slip of the finger.',
    'zh-Hans': '价格偏离市场过多，请检查是否输入有误。',
  },
  POST_ONLY_WOULD_TAKE: {
    en: 'This order must not trade at once, but it would. Choose another price.',
    'zh-Hans': '该委托只能挂单，但会立即成交，请调整价格。',
  },
  NOT_FILLABLE: {
    en: 'The whole quantity cannot be filled at once.',
    'zh-Hans': '无法立即全部成交。',
  },
  INVALID_TRIGGER: {
    en: 'Check the trigger price or trailing distance.',
    'zh-Hans': '请检查触发价或跟踪距离。',
  },
  TRIGGER_PASSED: {
    en: 'The market has passed this trigger price already.',
    'zh-Hans': '市场价格已越过触发价。',
  },
  NO_REFERENCE_PRICE: {
    en: 'This market has not traded yet. Place a limit order.',
    'zh-Hans': '该市场尚无成交价，请使用限价委托。',
  },
  INVALID_DISPLAY: {
    en: 'Check the displayed quantity: at least a hundredth of the whole, and less than the whole.',
    'zh-Hans': '请检查显示数量：不少于总量的百分之一且小于总量。',
  },
  INVALID_EXPIRY: {
    en: 'Check the expiry: it must lie ahead, within a year.',
    'zh-Hans': '请检查到期时间：须在未来一年之内。',
  },
  INVALID_AMEND: {
    en: 'The change must leave something to trade and differ from what stands.',
    'zh-Hans': '修改须与现有委托不同，且保留可成交数量。',
  },
  ORDER_NOT_AMENDABLE: {
    en: 'This order cannot be changed. Cancel it and place another.',
    'zh-Hans': '该委托不可修改，请撤单后重新下单。',
  },
  ORDER_QUANTITY_LIMIT: {
    en: 'The quantity is above your limit for one order.',
    'zh-Hans': '数量超过单笔委托上限。',
  },
  ORDER_NOTIONAL_LIMIT: {
    en: 'The value is above your limit for one order.',
    'zh-Hans': '金额超过单笔委托上限。',
  },
  POSITION_LIMIT: {
    en: 'This order could take your position above its limit.',
    'zh-Hans': '该委托可能使持仓超过上限。',
  },
  EXPOSURE_LIMIT: {
    en: 'Your open orders in this market would be above their limit.',
    'zh-Hans': '该市场未成交委托总额将超过上限。',
  },
  ORDER_RATE_EXCEEDED: {
    en: 'Too many orders in one second. Slow down.',
    'zh-Hans': '下单过于频繁，请放慢速度。',
  },
  ACCOUNT_FROZEN: {
    en: 'This account is frozen. Please ask your agent.',
    'zh-Hans': '账户已冻结，请联系您的代理。',
  },
  APPROVAL_REQUIRED: {
    en: 'An order of this size needs an approval first.',
    'zh-Hans': '该金额的委托需先经审批。',
  },
  INVALID_LIMITS: {
    en: 'Check the limits.',
    'zh-Hans': '请检查风控限额。',
  },
  INVALID_FEES: {
    en: 'Check the fee tiers.',
    'zh-Hans': '请检查费率阶梯。',
  },
  INVALID_COMMISSION: {
    en: 'Check the commission plan.',
    'zh-Hans': '请检查佣金方案。',
  },
  UNKNOWN_AGENT: {
    en: 'There is no such agent.',
    'zh-Hans': '代理不存在。',
  },
  AGENT_CYCLE: {
    en: 'An agent cannot stand below itself.',
    'zh-Hans': '代理层级不能循环或过深。',
  },
  TRADE_NOT_FOUND: {
    en: 'There is no such trade.',
    'zh-Hans': '成交不存在。',
  },
  TRADE_BUSTED: {
    en: 'This trade was busted already.',
    'zh-Hans': '该成交已被撤销。',
  },
  BUST_NOT_COVERED: {
    en: 'A party no longer has what would have to be given back.',
    'zh-Hans': '一方余额不足以撤销该成交。',
  },
  TRANSFER_EXISTS: {
    en: 'This transfer was begun already.',
    'zh-Hans': '该划转已存在。',
  },
  TRANSFER_NOT_FOUND: {
    en: 'There is no such transfer.',
    'zh-Hans': '划转不存在。',
  },
  TRANSFER_NOT_PENDING: {
    en: 'This transfer was decided already.',
    'zh-Hans': '该划转已处理。',
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
