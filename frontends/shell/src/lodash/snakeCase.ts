/** In place of lodash's: qiankun names elements after applications, which have plain names here. */
export default function snakeCase(name: string): string {
  return name.replace(/[^a-z0-9]+/gi, '_').toLowerCase()
}
