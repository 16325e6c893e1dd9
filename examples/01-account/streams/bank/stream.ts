import { defineStream } from 'millrace'

export default defineStream({ name: 'BANK', root: 'bank', partitions: 4 })
