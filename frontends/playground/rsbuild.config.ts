import { playground } from '../rsbuild.shared.ts'

export default playground()
