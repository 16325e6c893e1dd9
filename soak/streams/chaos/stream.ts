import { defineStream } from 'millrace'

export default defineStream({
  name: 'CHAOS',
  root: 'chaos',
  description: 'What the soak publishes and makes of it',
  replicas: process.env['SOAK_REPLICAS'] === '3' ? 3 : 1,
})
