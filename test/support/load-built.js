// `node --import` of this lets a program of test/ that imports src/ have what is built of it: a test starts dozens of such
// programs, and each would take the types from hundreds of files before it begins.
import { register } from 'node:module'

// by its address: who checks types has not built it yet
await import(new URL('../../dist/runtime/load-typescript.js', import.meta.url).href)
register('./built-hooks.js', import.meta.url)
