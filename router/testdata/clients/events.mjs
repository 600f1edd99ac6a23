// The client of graphql-sse in both modes: a connection for each operation, and one connection for all.
import { createClient } from 'graphql-sse';
import { check, same, tell, trade, trades, url } from './report.mjs';

async function results(c, query, each = () => {}) {
  const got = [];
  for await (const result of c.iterate({ query })) {
    got.push(result);
    await each(got.length);
  }
  return got;
}

for (const singleConnection of [false, true]) {
  const mode = singleConnection ? 'one connection: ' : 'distinct connections: ';
  const client = () => createClient({ url, singleConnection, retryAttempts: 0 });

  await check(`${mode}a query and a mutation`, async () => {
    const c = client();
    same(await results(c, '{ markets { symbol } }'), [{ data: { markets: [{ symbol: 'BTC' }, { symbol: 'ETH' }] } }]);
    same(await results(c, 'mutation { __typename }'), [{ data: { __typename: 'Mutation' } }]);
    c.dispose();
  });

  await check(`${mode}a subscription to its end`, async () => {
    const c = client();
    tell('BTC');
    same(await results(c, trades, (n) => {
      tell(n === 1 ? 'ETH' : 'end');
    }), [trade('BTC'), trade('ETH')]);
    c.dispose();
  });

  await check(`${mode}a subscription that the client ends, and another`, async () => {
    const c = client();
    for (const symbol of ['BTC', 'ETH']) {
      await tell('quiet');
      tell(symbol);
      for await (const result of c.iterate({ query: trades })) {
        same(result, trade(symbol));
        break;
      }
    }
    c.dispose();
  });

  await check(`${mode}twenty operations at once`, async () => {
    const c = client();
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => results(c, `{ a${i}: markets { symbol } }`)));
    same(all.map(([{ data }]) => Object.keys(data)[0]), Array.from({ length: 20 }, (_, i) => `a${i}`));
    c.dispose();
  });

  await check(`${mode}a refused operation`, async () => {
    const c = client();
    try {
      const got = await results(c, '{ nowhere }');
      same(got.map((g) => g.errors[0].extensions.code), ['GRAPHQL_VALIDATION_FAILED']);
    } catch (error) {
      if (!/Bad Request|GRAPHQL_VALIDATION_FAILED/.test(`${error.message}`)) throw error;
    }
    c.dispose();
  });
}
