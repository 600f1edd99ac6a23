// The audit suite of graphql-http: what GraphQL over HTTP asks of a server, MUST, SHOULD and MAY.
import { serverAudits } from 'graphql-http';
import { check, url } from './report.mjs';

for (const audit of serverAudits({ url })) {
  await check(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    if (result.status !== 'ok') throw new Error(`${result.status}: ${result.reason} (HTTP ${result.response?.status})`);
  });
}
