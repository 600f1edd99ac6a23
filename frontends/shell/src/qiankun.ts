export { loadMicroApp } from 'qiankun'
