"""What tests that start servers share."""
