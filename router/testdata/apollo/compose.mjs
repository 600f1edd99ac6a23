// Reads one JSON object a line, {name, subgraphs: [{name, url, sdl}]}, and answers each with what Apollo's composition makes of it:
// {name, supergraph, hints: [code]} or {name, errors: [{code, message}]}.
import { createInterface } from 'node:readline';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

function answer({ name, subgraphs }) {
  const services = [];
  for (const { name: subgraph, url, sdl } of subgraphs) {
    try {
      services.push({ name: subgraph, url, typeDefs: parse(sdl) });
    } catch (error) {
      return { name, errors: [{ code: 'INVALID_GRAPHQL', message: error.message }] };
    }
  }
  try {
    const composed = composeServices(services);
    if (composed.errors?.length) {
      return { name, errors: composed.errors.map((e) => ({ code: e.extensions?.code ?? 'NONE', message: e.message })) };
    }
    return { name, supergraph: composed.supergraphSdl, hints: composed.hints.map((h) => h.definition.code) };
  } catch (error) {
    return { name, errors: [{ code: error.extensions?.code ?? 'CRASH', message: String(error.message) }] };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + '\n');
}
