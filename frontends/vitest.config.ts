import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{packages/*,shell,member,agent,admin}/src/**/*.test.{ts,tsx}'],
    environment: 'happy-dom',
    restoreMocks: true,
  },
})
