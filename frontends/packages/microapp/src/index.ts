export * from './contract.ts'
export * from './lifecycle.tsx'
export * from './route.ts'
