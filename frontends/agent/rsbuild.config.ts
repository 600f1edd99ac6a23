import { mountedApp } from '../rsbuild.shared.ts'

export default mountedApp('agent', 'Bourse · agent')
