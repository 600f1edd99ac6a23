// The client of subscriptions-transport-ws, long retired and still in use, against our server of its protocol, graphql-ws.
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { check, same, tell, trade, trades, url } from './report.mjs';

const client = () => new SubscriptionClient(url.replace('http', 'ws'), { reconnect: false, minTimeout: 10_000 }, WebSocket);

const results = (c, query, each = () => {}) =>
  new Promise((resolve, reject) => {
    const got = [];
    c.request({ query }).subscribe({
      next(result) {
        got.push(result);
        Promise.resolve(each(got.length)).catch(reject);
      },
      error: reject,
      complete: () => resolve(got),
    });
  });

await check('a query', async () => {
  const c = client();
  same(await results(c, '{ markets { symbol } }'), [{ data: { markets: [{ symbol: 'BTC' }, { symbol: 'ETH' }] } }]);
  c.close();
});

await check('a subscription to its end', async () => {
  const c = client();
  tell('BTC');
  same(await results(c, trades, (n) => tell(n === 1 ? 'ETH' : 'end')), [trade('BTC'), trade('ETH')]);
  c.close();
});

await check('a subscription that the client ends, and another on the same connection', async () => {
  const c = client();
  for (const symbol of ['BTC', 'ETH']) {
    await tell('quiet');
    tell(symbol);
    await new Promise((resolve, reject) => {
      const running = c.request({ query: trades }).subscribe({
        next(result) {
          running.unsubscribe();
          try {
            resolve(same(result, trade(symbol)));
          } catch (error) {
            reject(error);
          }
        },
        error: reject,
      });
    });
  }
  c.close();
});

await check('errors of a refused operation', async () => {
  const c = client();
  try {
    await results(c, '{ nowhere }');
  } catch {
    return;
  } finally {
    c.close();
  }
  throw new Error('no error');
});
