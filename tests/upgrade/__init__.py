"""What released versions left in S3 and DynamoDB, and whether the present code goes on from it."""
