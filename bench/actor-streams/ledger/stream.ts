import { defineStream } from 'millrace'

export default defineStream({
  name: process.env['BENCH_STREAM'] ?? 'LEDGER',
  root: (process.env['BENCH_STREAM'] ?? 'LEDGER').toLowerCase(),
  description: 'Accounts of the bench',
})
