import { defineStream } from 'millrace'

export default defineStream({
  name: 'LEDGER',
  root: 'ledger',
  description: 'Accounts of the soak, each with its own history',
  replicas: process.env['SOAK_REPLICAS'] === '3' ? 3 : 1,
})
