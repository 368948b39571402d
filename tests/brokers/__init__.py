"""The Kafka brokers that the contract suite runs on."""
