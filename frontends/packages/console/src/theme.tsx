/** The console's component library in the house's colours and the person's language. */

import { useDark, usePreferences } from '@bourse/design'
import { App, ConfigProvider, theme } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import type { ReactNode } from 'react'

export function ConsoleTheme({ children, scope }: { children: ReactNode; scope: string }) {
  const dark = useDark()
  const { locale } = usePreferences()
  return (
    <ConfigProvider
      button={{ autoInsertSpace: false }}
      locale={locale === 'zh-Hans' ? zhCN : enUS}
      theme={{
        algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
        cssVar: { key: scope },
        token: {
          colorPrimary: dark ? '#5b93ff' : '#1f5fe0',
          colorSuccess: dark ? '#2fbf86' : '#0a7d4f',
          colorSuccessBg: dark ? '#10271e' : '#e2f3eb',
          colorSuccessBorder: dark ? '#1d4d39' : '#a9d8c3',
          colorWarning: dark ? '#f0c05a' : '#8a5a00',
          colorWarningBg: dark ? '#33290f' : '#fff3d6',
          colorWarningBorder: dark ? '#5a4719' : '#f0d48f',
          colorError: dark ? '#f2607a' : '#c8304a',
          colorBgLayout: dark ? '#0c1117' : '#f4f6f9',
          colorBgContainer: dark ? '#141b24' : '#ffffff',
          colorBgElevated: dark ? '#1a2330' : '#ffffff',
          borderRadius: 8,
          fontFamily: 'var(--font)',
        },
      }}
    >
      <App component={false}>{children}</App>
    </ConfigProvider>
  )
}
