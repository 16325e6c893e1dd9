#!/usr/bin/env node
import { runCommandLine } from './command-line.js'

const code = await runCommandLine(process.argv.slice(2), process)
process.exitCode = code
// whatever a library left open does not keep the command from ending; what was written has left the process first
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
