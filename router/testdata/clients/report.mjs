// What each script prints: one JSON object a line, {name, fault} with an empty fault for what went well.
export async function check(name, act) {
  let fault = '';
  let timer;
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('nothing came within 20 s')), 20_000);
    });
    await Promise.race([act(), late]);
  } catch (error) {
    fault = String(error?.stack ?? error) || 'failed';
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ name, fault }));
}

export function same(got, want) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`got ${a}, want ${b}`);
}

export const [, , url] = process.argv;

// tell makes the subgraph send an event: a symbol, "end" to complete the subscription, "drop" to break it off. "quiet" is no event: it is
// answered when the subgraph has no subscription any more, so that what follows is not for one that is being left.
export async function tell(symbol) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'mutation ($symbol: ID!) { rename(symbol: $symbol, name: "") { symbol } }', variables: { symbol } }),
  });
  const { errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
}

export const trades = 'subscription { trades(symbol: "BTC") { price market { symbol volume } } }';
export const trade = (symbol) => ({ data: { trades: { price: '1.50', market: { symbol, volume: symbol.length } } } });
