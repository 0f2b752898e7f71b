"""Events from Kafka: what messages say, and who reads them."""
