// Reads one JSON object a line, {name, base, subgraphs: [{name, sdl}], operations: [{name, query, variables}]}, composes the subgraphs,
// asks Apollo's gateway each operation, the subgraphs being served at base + name, and answers {name, supergraph, answers: [{data, errors}]}
// or {name, refused: "why it does not compose"}.
import { createInterface } from 'node:readline';
import { composeServices } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { parse, validate } from 'graphql';

process.env.METADATA_SERVER_DETECTION = 'none'; // the gateway's tracing would look for a cloud around it

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function ask(gateway, { query, variables }) {
  try {
    const document = parse(query);
    const invalid = validate(gateway.schema, document);
    if (invalid.length) return { data: null, errors: invalid.map((e) => e.message) };
    const operation = document.definitions.find((d) => d.kind === 'OperationDefinition');
    const { data, errors } = await gateway.executor({
      document, operation, operationName: operation.name?.value ?? null, queryHash: query,
      request: { query, variables: variables ?? {} }, context: {}, logger: quiet,
      overallCachePolicy: { restrict() {} }, metrics: {}, source: query, schema: gateway.schema,
    });
    return { data: data ?? null, errors: errors?.map((e) => e.message) };
  } catch (error) {
    return { data: null, errors: [String(error.message)] };
  }
}

async function answer({ name, base, subgraphs, operations }) {
  const composed = composeServices(subgraphs.map((s) => ({ name: s.name, url: base + s.name, typeDefs: parse(s.sdl) })));
  if (composed.errors?.length) return { name, refused: composed.errors.map((e) => e.message).join('\n') };
  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl, logger: quiet,
    buildService: (service) => new RemoteGraphQLDataSource({ url: base + service.name }),
  });
  gateway.schema = (await gateway.load()).schema;
  const answers = [];
  for (const operation of operations) answers.push(await ask(gateway, operation));
  await gateway.stop();
  return { name, supergraph: composed.supergraphSdl, answers };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let said;
  try {
    said = await answer(question);
  } catch (error) {
    said = { name: question.name, refused: String(error.message) };
  }
  process.stdout.write(JSON.stringify(said) + '\n');
}
process.exit(0);
