import { mountedApp } from '../rsbuild.shared.ts'

export default mountedApp('member', 'Bourse')
