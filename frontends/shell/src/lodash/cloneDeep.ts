/** In place of lodash's: qiankun copies plain state only. */
export default structuredClone
