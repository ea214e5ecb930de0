"""Recording and reading bags: rosbag2 folders of MCAP files that are whole at every moment."""
