export * from './catalogue.ts'
export * from './moments.ts'
export * from './refusals.ts'
