import { mountedApp } from '../rsbuild.shared.ts'

export default mountedApp('admin', 'Bourse · admin')
