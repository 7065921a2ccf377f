"""What tests share: a world of agencies with keys, agreements and a gateway."""
