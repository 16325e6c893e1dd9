#!/usr/bin/env node
// The command `millrace`, which runs what was built. In a clone, npx links it when it is used for the first time, and never
// again: to a file that is only there after the build it would make no link for good.
import { existsSync } from 'node:fs'

const built = new URL('../../dist/cli/main.js', import.meta.url)
if (existsSync(built)) await import(built.href)
else {
  process.stderr.write('millrace is not built yet. Run `npm run build` once, in the folder of its package.json.\n')
  process.exitCode = 1
}
