// The client of graphql-ws, which wrote the protocol down, against our server of graphql-transport-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { check, same, tell, trade, trades, url } from './report.mjs';

const client = (more) => createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, ...more });

// results collects what an operation brings, to its end.
async function results(c, query, each = () => {}) {
  const got = [];
  for await (const result of c.iterate({ query })) {
    got.push(result);
    await each(got.length);
  }
  return got;
}

const closed = (c) => new Promise((resolve) => c.on('closed', resolve));

await check('a query and a mutation', async () => {
  const c = client();
  same(await results(c, '{ markets { symbol } }'), [{ data: { markets: [{ symbol: 'BTC' }, { symbol: 'ETH' }] } }]);
  same(await results(c, 'mutation { __typename }'), [{ data: { __typename: 'Mutation' } }]);
  await c.dispose();
});

await check('a subscription to its end', async () => {
  const c = client();
  const first = tell('BTC');
  same(await results(c, trades, async (n) => {
    await first;
    if (n < 3) tell(n === 1 ? 'ETH' : 'end');
  }), [trade('BTC'), trade('ETH')]);
  await c.dispose();
});

await check('a subscription that the client ends, and another on the same connection', async () => {
  const c = client();
  for (const symbol of ['BTC', 'ETH']) {
    await tell('quiet');
    tell(symbol);
    for await (const result of c.iterate({ query: trades })) {
      same(result, trade(symbol));
      break;
    }
  }
  await c.dispose();
});

await check('errors of a refused operation', async () => {
  const c = client();
  try {
    await results(c, '{ nowhere }');
  } catch (errors) {
    same(errors.map((e) => e.extensions.code), ['GRAPHQL_VALIDATION_FAILED']);
    return;
  } finally {
    await c.dispose();
  }
  throw new Error('no error');
});

await check('pings of the client are answered', async () => {
  const c = client({ lazy: false, keepAlive: 10 });
  await new Promise((resolve) => c.on('pong', (received) => received && resolve()));
  await c.dispose();
});

await check('fifty operations at once', async () => {
  const c = client();
  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => results(c, `{ a${i}: markets { symbol } }`)));
  same(all.map(([{ data }]) => Object.keys(data)[0]), Array.from({ length: 50 }, (_, i) => `a${i}`));
  await c.dispose();
});

await check('the close is normal', async () => {
  const c = client({ lazy: false });
  await new Promise((resolve) => c.on('connected', resolve));
  const event = closed(c);
  await c.dispose();
  same((await event).code, 1000);
});
